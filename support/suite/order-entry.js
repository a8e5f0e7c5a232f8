// Cucumber imports plugins as ES modules, which ts-node does not transpile: this file only loads the TypeScript one.
require('ts-node/register');
module.exports = require('./order.ts').plugin;
