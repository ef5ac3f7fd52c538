"""Makes the recording that the replay answers with: `python -m ispguide.recording`."""
