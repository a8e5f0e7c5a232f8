import { existsSync, writeFileSync } from 'node:fs';
import { arch, release, type } from 'node:os';
import { join, relative } from 'node:path';
import { run } from '../support/command';
import { redactor } from '../support/evidence/redaction';
import { reason } from '../support/failure';
import { factoryHome, projectRoot } from '../support/paths';
import type { Part, Target } from '../support/target';
import { reportFiles } from './writers';

/** What was tested with what: a report without it proves nothing a week later. */
export interface Environment {
  target: string;
  /** ISO 8601. */
  at: string;
  suite: string;
  factory: string;
  node: string;
  host: string;
  /** Components with version and provenance; empty with a reason when the target could not tell. */
  parts: Part[];
  partsUnknown?: string;
}

/** Asks the target and git. Never throws: what cannot be told says so. */
export async function readEnvironment(target: Target): Promise<Environment> {
  const [suite, factory, parts] = await Promise.all([
    commitOf(projectRoot),
    factoryHome.startsWith(`${projectRoot}/`) ? partOf(factoryHome) : commitOf(factoryHome),
    target.parts().catch((thrown: unknown) => reason(thrown)),
  ]);
  return {
    target: target.name,
    at: new Date().toISOString(),
    suite,
    factory,
    node: process.version,
    host: `${type()} ${release()} ${arch()}`,
    ...(typeof parts === 'string' ? { parts: [], partsUnknown: parts } : { parts }),
  };
}

/** The environment as flat names and values, for Allure. */
function environmentVariables(environment: Environment): Record<string, string> {
  const { parts, partsUnknown, ...rest } = environment;
  const components: Record<string, string> = {};
  for (const { name, version, provenance, role } of parts) {
    components[name] = `${version} (${provenance}${role === undefined ? '' : `, as ${role}`})`;
  }
  return {
    ...rest,
    ...(partsUnknown === undefined ? {} : { components: `unknown: ${partsUnknown}` }),
    ...components,
  };
}

/** Writes environment.json and Allure's environment.properties. */
export function writeEnvironment(out: string, environment: Environment): Environment {
  const clean = redactor.value(environment);
  const files = reportFiles(out);
  writeFileSync(files.environment, `${JSON.stringify(clean, null, 2)}\n`);
  const lines = Object.entries(environmentVariables(clean)).map(([key, value]) => `${propertyKey(key)}=${value}`);
  writeFileSync(join(files.allureResults, 'environment.properties'), `${lines.join('\n')}\n`);
  return clean;
}

/** In a properties file a space or a colon would end the key. */
function propertyKey(key: string): string {
  return key.replace(/[\s:=]/g, '_');
}

async function partOf(folder: string): Promise<string> {
  return `${relative(projectRoot, folder)} of the suite's commit`;
}

async function commitOf(folder: string): Promise<string> {
  if (!existsSync(join(folder, '.git'))) return `${folder}, not a git checkout`;
  try {
    const { stdout: commit } = await run('git', ['-C', folder, 'rev-parse', 'HEAD']);
    const { stdout: changes } = await run('git', ['-C', folder, 'status', '--porcelain']);
    return `${commit}${changes.trim() === '' ? '' : ' with uncommitted changes'}`;
  } catch (thrown) {
    return `unknown: ${reason(thrown)}`;
  }
}
