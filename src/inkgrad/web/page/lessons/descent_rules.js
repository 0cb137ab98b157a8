// The optimizers of lesson 4, each with its color, and its learning rates.
export const RULES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"];
export const PACES = ["small", "right", "large"];
export const color = (rule) => RULES.indexOf(rule);
export const ruleEntries = RULES.map((name) => [name, { t: `descent_${name}` }]);
export const paceEntries = PACES.map((name) => [name, { t: `descent_${name}` }]);
