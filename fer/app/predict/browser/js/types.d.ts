// The values that travel between Python, the page and the worker; for the type checker alone.

export type Point = [number, number];
export type Box = { x: number; y: number; width: number; height: number; score: number; landmarks: Point[] };
export type Crop = { centerX: number; centerY: number; side: number; roll: number };
export type Picture = { data: Uint8ClampedArray; width: number; height: number };

/** What fer/app/predict/browser/constants.py writes. */
export type Constants = {
  names: string[];
  colors: string[];
  unsureColor: string;
  detection: { threshold: number; nms: number; mergeOverlap: number; divisor: number; strides: number[] };
  alignment: {
    reference: number;
    maxSupersampling: number;
    boxSide: number;
    boxCenter: Point;
    eyeDistance: number;
    eyesToMouth: number;
    eyesMouthMiddle: Point;
    grayWeights: [number, number, number];
    grayShift: number;
  };
  quality: {
    reasons: Record<"plain" | "small" | "dark" | "blurred" | "turned" | "bright" | "cut", string>;
    minSidePx: number;
    darkGray: number;
    brightGray: number;
    plainDeviation: number;
    cutShare: number;
    minSharpness: number;
    faceHeight: number;
    faceTop: number;
    faceSteps: number;
    maxTurn: number;
  };
  deviationFloor: number;
  tracking: {
    patienceS: number;
    stallS: number;
    farthest: number;
    reach: number;
    growth: number;
    alone: number;
    memoryS: number;
    stopped: number;
    trackedSide: number;
  };
  timeline: { awayS: number; near: number; growth: number; briefS: number; briefGapS: number; briefGrowth: number; hereS: number };
  live: { historyS: number; rateS: number; silentS: number; noFrames: string; shownPeople: number; maxSide: number; pushS: number; recordedRows: number };
};

/** Of a model's card, what reading needs. */
export type Card = {
  preprocessing: { face_size: number; input_size: number; standardise: "picture" | "dataset"; mean: number; deviation: number };
  temperature: number;
  threshold: number;
  /** A class is in a face's set where its nonconformity is at most its limit; null: the card promises nothing. */
  sets: { method: "lac" | "aps"; limits: number[] } | null;
};
export type Settings = { smoothingS: number; mirror: boolean; parts: string[]; longSide: number };
export type Model = { id: string; name: string; url: string; card: Card };
export type Recording = { id: string; received: number; done: boolean };
/** What Python gives the component. */
export type Data = {
  modules: string;
  constants: Constants;
  runtime: { module: string; wasm: string };
  yunet: string;
  model: Model;
  settings: Settings;
  recording: Recording | null;
  open: boolean;
};

export type Reading = { box: Box; probabilities: number[]; reasons: string[] };
export type Face = {
  person: number;
  box: Box;
  probabilities: number[];
  raw: number[];
  label: number;
  sure: boolean;
  set: number[];
  reasons: string[];
};
/** One person at one time: seconds, person, probabilities, box (its score last), reasons, the model's id. Python judges by itself. */
export type Row = [number, number, number[], number[], string[], string];

export type ToWorker =
  | { kind: "load"; data: Data }
  | { kind: "canvas"; canvas: OffscreenCanvas }
  | { kind: "settings"; settings: Settings }
  | { kind: "frame"; bitmap: ImageBitmap; timeS: number };
export type FromWorker =
  | { kind: "loaded"; model: Model; threads: number }
  | { kind: "faces"; faces: Face[]; timeS: number; width: number; height: number; ms: number }
  | { kind: "skipped" }
  | { kind: "failed"; what: "files" | "frame"; words: string };
