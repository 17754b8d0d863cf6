// The values that travel between fer/app/predict/video_viewer.py and the page; for the type checker alone.

/** When from and to, in seconds, and what was told: an index into `names`, -1 where it was not sure. */
export type Span = [number, number, number];
/** A recording's readings of a person: seconds, what was told, and seven whole percentages. */
export type Reading = [number, number, number[]];
export type Person = { number: number; label: string; spans: Span[]; readings: Reading[] };
export type Mark = { timeS: number; name: string };
/** edits: how often they were changed on the page. */
export type Annotations = { edits: number; names: Record<string, string>; events: Mark[] };
export type Moment = { url: string; caption: string; timeS: number };
export type Data = {
  /** Of what is shown: another one is built anew. */
  id: string;
  names: string[];
  colors: string[];
  unsureColor: string;
  longestName: number;
  mostEvents: number;
  endS: number;
  /** For how long after the end of their span somebody is still there, in seconds. */
  holdS: number;
  people: Person[];
  /** Null for a recording, which has no pictures. */
  video: { url: string; moments: Moment[]; annotations: Annotations } | null;
};
