// Preloaded into an example: what it does at a random moment of some time, it does at the beginning of it.
const { random } = Math
Math.random = () => random() / 1_000
