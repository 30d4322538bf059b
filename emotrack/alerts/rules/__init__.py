"""What is looked for: the kinds of rules, the terms that they may have, and which rules are on."""
