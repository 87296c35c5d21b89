"""The frozen values that users write; no calendar arithmetic."""
