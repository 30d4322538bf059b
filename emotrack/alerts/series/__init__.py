"""What rules watch: a session's turns, a client's sessions, silence, and a recognizer's months."""
