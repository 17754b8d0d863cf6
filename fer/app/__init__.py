"""All Streamlit code outside the pages."""
