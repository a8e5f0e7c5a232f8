'use strict';
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { version } = require('@swc/core/package.json');

// Loads this project's TypeScript as `ts-node/register` with swc does, for the commands that only read the ledger and must
// answer at once. What swc made of a file is kept with the modules, and used again while the file, the options and swc are
// the same: then neither ts-node, the compiler nor swc are loaded, which are a third of a command's start.
const folder = join(__dirname, '..', '..', 'node_modules', '.cache', 'sandbox-acceptance');

const options = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'commonjs', strictMode: true, noInterop: false },
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', dynamicImport: true },
    transform: { useDefineForClassFields: true },
  },
};
const recipe = `${version} ${JSON.stringify(options)}\n`;

/** The JavaScript of a TypeScript file. */
function javaScriptOf(filename) {
  const source = readFileSync(filename, 'utf8');
  const kept = join(folder, createHash('sha256').update(filename).digest('hex'));
  const origin = `// ${createHash('sha256').update(recipe).update(source).digest('hex')} `;
  const known = read(kept);
  // Both hashes: a file that was cut off, or that somebody wrote into, is made anew.
  const code = known.slice(origin.length + 65);
  if (known.startsWith(`${origin}${sha256(code)}\n`)) return code;
  const made = require('@swc/core').transformSync(source, { ...options, filename }).code;
  keep(kept, `${origin}${sha256(made)}\n${made}`);
  return made;
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function keep(file, text) {
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(fresh, text);
    renameSync(fresh, file);
  } catch {
    // Nobody may write there, or nothing fits: the next start takes as long as this one, and does the same.
  }
}

process.setSourceMapsEnabled(true);
require.extensions['.ts'] = (module, filename) => module._compile(javaScriptOf(filename), filename);
