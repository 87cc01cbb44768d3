"""What a backend or a provider is tested with: conformance suites, models, crash harnesses. Needs pytest."""
