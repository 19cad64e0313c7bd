"""What anyone may ask for, one function each. They check, decide and call the store; they know no HTTP."""
