"""The generator for served models: any endpoint that speaks the chat completions protocol."""
