'use strict';
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, resolve } = require('node:path');
const { isMainThread } = require('node:worker_threads');

// `node support/startup/start.js FILE.ts [ARGUMENT...]` runs a program of this project behind the second line of the isolation
// boundary, as `node -r ts-node/register -r ./support/isolation/preload.ts FILE.ts` does, for commands that must answer at
// once. What the program is made of, some hundred files, is put together into one by esbuild, which is kept with the modules and
// used again while each of these files is the same: finding, reading and compiling them is most of a command's start.

const root = resolve(__dirname, '..', '..');
const program = resolve(process.argv[2] ?? 'FILE.ts');
// A thread beside the main one has no second line, and needs none: it computes, and opens no connection.
const files = [...(isMainThread ? [join(root, 'support', 'isolation', 'preload.ts')] : []), program];
/** What decides how files are put together. */
const recipe = [__filename, join(root, 'tsconfig.json'), join(root, 'package.json')];
const folder = join(root, 'node_modules', '.cache', 'sandbox-acceptance');
const name = join(folder, sha256(files.join('\n')).slice(0, 16));

function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

/** What a file is known by: whoever writes into it, or puts another in its place, changes one of these. */
function stampOf(path) {
  const { size, ino, mtimeMs, ctimeMs } = statSync(path);
  return [ctimeMs, mtimeMs, size, ino];
}

function isAsItWas([path, stamp]) {
  return stampOf(path).join() === stamp.join();
}

/** The program as it was put together before; undefined when one of its files is not as it was then, or what was kept is not. */
function kept() {
  try {
    const { stamps, sum } = JSON.parse(readFileSync(`${name}.json`, 'utf8'));
    const code = readFileSync(`${name}.js`, 'utf8');
    const same = Object.entries(stamps).every(isAsItWas);
    return same && sum === sha256(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Puts the program together and keeps it. @throws what esbuild says, with file and line. */
async function made() {
  const began = Date.now();
  const { outputFiles, metafile } = await require('esbuild').build({
    stdin: { contents: files.map((path) => `import ${JSON.stringify(path)};`).join('\n'), resolveDir: root },
    absWorkingDir: root,
    outfile: `${name}.js`,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    keepNames: true,
    sourcemap: 'external',
    plugins: [{ name: 'place', setup: (build) => build.onLoad({ filter: /\.ts$/ }, inItsPlace) }],
    logLevel: 'silent',
  });
  const [map, code] = ['.js.map', '.js'].map((end) => outputFiles.find(({ path }) => path === `${name}${end}`).text);
  const inputs = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>');
  const stamps = Object.fromEntries(
    [...inputs.map((path) => resolve(root, path)), ...recipe].map((path) => [path, stampOf(path)]),
  );
  // What changed meanwhile, by the file system's clock, which is some milliseconds late, may have been read before.
  const settled = Object.values(stamps).every(([ctimeMs]) => ctimeMs < began - 20);
  if (settled) keep({ js: code, map, json: JSON.stringify({ sum: sha256(code), stamps }) });
  return code;
}

/** A file of this project finds what lies beside it by its own place, not by that of the whole. */
function inItsPlace({ path }) {
  const place = `const __filename = ${JSON.stringify(path)}, __dirname = ${JSON.stringify(dirname(path))};`;
  const text = readFileSync(path, 'utf8');
  return { loader: 'ts', contents: /\b__(dir|file)name\b/.test(text) ? `${place}${text}` : text };
}

/** Writes files, the last of them, which vouches for the others, at the end. */
function keep(texts) {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [end, text] of Object.entries(texts)) {
      writeFileSync(`${name}.${end}.${process.pid}`, text);
      renameSync(`${name}.${end}.${process.pid}`, `${name}.${end}`);
    }
  } catch {
    // Nobody may write there, or nothing fits: the next start takes as long as this one, and does the same.
  }
}

/** Shows errors at their lines of the TypeScript files: the map is large, and read when there is one to show. */
function mapStacks() {
  let map;
  const shown = (frame) => {
    if (frame.getFileName() !== `${name}.js`) return frame.toString();
    const { originalSource, originalLine, originalColumn } = map.findEntry(
      frame.getLineNumber() - 1,
      frame.getColumnNumber() - 1,
    );
    if (originalSource === undefined) return frame.toString();
    const place = `${resolve(folder, originalSource)}:${originalLine + 1}:${originalColumn + 1}`;
    const what = frame.getFunctionName() ?? frame.getMethodName();
    return what ? `${what} (${place})` : place;
  };
  Error.prepareStackTrace = (error, frames) => {
    try {
      map ??= new Module.SourceMap(JSON.parse(readFileSync(`${name}.map`, 'utf8')));
    } catch {
      map = { findEntry: () => ({}) };
    }
    return [String(error), ...frames.map((frame) => `    at ${shown(frame)}`)].join('\n');
  };
}

function run(code) {
  mapStacks();
  process.argv.splice(1, 2, program);
  const whole = new Module(`${name}.js`);
  whole.filename = `${name}.js`;
  whole.paths = Module._nodeModulePaths(root);
  whole._compile(code, `${name}.js`);
}

Module.enableCompileCache?.(folder);
const known = kept();
if (known !== undefined) run(known);
else {
  made().then(run, (thrown) => {
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = 70;
  });
}
