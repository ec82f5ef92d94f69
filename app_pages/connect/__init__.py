"""Connect: point the workbench at what the practice's EMR delivers, step by step."""
