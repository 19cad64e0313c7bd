"""What a monitor sees: numbers for Prometheus, spans for OpenTelemetry. Neither ever holds a secret or a payload."""
