/** Cucumber's configuration. `npm run suite` uses it too, so that a run from an editor leaves the same redacted reports. */
module.exports = {
  default: {
    requireModule: ['ts-node/register'],
    require: ['support/hooks/index.ts', 'steps/**/*.steps.ts'],
    format: ['./reports/formatter-entry.js'],
    strict: true,
  },
};
