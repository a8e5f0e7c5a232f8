import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { sandboxSecrets, secretsElsewhere } from '../paths';
import type { Redactor } from './redaction';

/** Keys whose values are no secrets although they lie beside some: taking them out would make reports unreadable. */
const openKeys =
  /^(user(name)?|name|server|cluster|namespace|current-context|certificate-authority-data|client-certificate-data|kind|apiVersion|.*_(threshold|shares|format|policy))$/i;

/** Files that hold nothing secret. */
const openFiles = /(\.pub|\.crt|\.md|known_hosts)$/;

/** Larger files are none of the small credentials this folder holds. */
const largestFile = 256 * 1024;

const readAt = new Map<string, number>();

/**
 * Registers every secret of the sandbox's secrets folder. Called again and again during a run, because `lab up` writes the
 * files while scenarios run already: a file that did not change is not read again.
 */
export function registerSandboxSecrets(redactor: Redactor, folder: string = sandboxSecrets): void {
  const others = folder === sandboxSecrets ? secretsElsewhere.filter((file) => existsSync(file)) : [];
  for (const file of [...filesBelow(folder), ...others]) {
    const { mtimeMs, size } = statSync(file);
    if (openFiles.test(file) || size > largestFile || readAt.get(file) === mtimeMs) continue;
    readAt.set(file, mtimeMs);
    redactor.register(...secretsOf(readFileSync(file, 'utf8')));
  }
}

/** The secret texts of one file: the values of JSON or YAML, the whole of a PEM key, the only line of a token file. */
export function secretsOf(content: string): string[] {
  if (content.includes('-----BEGIN')) return [content];
  const values: string[] = [];
  for (const document of parseAllDocuments(content)) {
    if (document.errors.length > 0) return content.split('\n');
    collect(document.toJS(), undefined, values);
  }
  return values;
}

function collect(value: unknown, key: string | undefined, into: string[]): void {
  if (typeof value === 'string') {
    if (key === undefined || !openKeys.test(key)) into.push(value);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, key, into);
  } else if (value !== null && typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) collect(item, name, into);
  }
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    // No lab was ever up: there is nothing to hide yet.
    return [];
  }
}
