import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { configurationShape, type Configuration } from './shape';

/** Targets that are described by a configuration file; `embedded` needs none. */
export const configuredTargets = ['vms', 'k3d'] as const;
export type ConfiguredTarget = (typeof configuredTargets)[number];

const checkout = resolve(__dirname, '..', '..');

/** The configuration file: SANDBOX_CONFIG, or `sandbox.config.yaml` in the checkout. */
export const configurationFile = resolve(process.env['SANDBOX_CONFIG'] || join(checkout, 'sandbox.config.yaml'));

/** A configuration with the file it was read from. */
export interface ReadConfiguration {
  file: string;
  configuration: Configuration;
}

/** True for a name of `configuredTargets`. */
export function isConfigured(name: string | undefined): name is ConfiguredTarget {
  return configuredTargets.some((known) => known === name);
}

/**
 * Reads a configuration file; every path in it comes back absolute.
 * @throws OperatorError (exit code 2) naming every key that is wrong.
 */
export function readConfiguration(file: string = configurationFile): ReadConfiguration {
  try {
    const configuration = configurationShape.parse(parse(readFileSync(file, 'utf8')));
    return { file, configuration: withAbsolutePaths(configuration, dirname(file)) };
  } catch (thrown) {
    const missing = (thrown as NodeJS.ErrnoException).code === 'ENOENT';
    throw new OperatorError({
      attempted: 'read the configuration of the target',
      where: file,
      expected: 'a sandbox.config.yaml',
      seen: missing ? 'no such file' : thrown instanceof z.ZodError ? sentence(thrown) : reason(thrown),
      next: missing
        ? 'write one with `npm run target -- init vms` (or k3d), or name it in SANDBOX_CONFIG.'
        : 'correct that file; `npm run target -- init vms --print` shows every key with its meaning.',
      exitCode: 2,
      cause: thrown,
    });
  }
}

function sentence(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`).join('; ');
}

function withAbsolutePaths(given: Configuration, folder: string): Configuration {
  const at = (path: string): string => resolve(folder, path.replace(/^~(?=\/|$)/, homedir()));
  const optional = <K extends 'factory' | 'runbook' | 'deviations' | 'ci_key'>(key: K): Partial<Record<K, string>> =>
    given[key] === undefined ? {} : ({ [key]: at(given[key]) } as Partial<Record<K, string>>);
  const own =
    given.target === 'vms' && given.ssh !== undefined
      ? { ssh: { ...given.ssh, key: at(given.ssh.key), known_hosts: at(given.ssh.known_hosts) } }
      : {};
  return {
    ...given,
    ...own,
    inventory: at(given.inventory),
    secrets: at(given.secrets),
    kubernetes: { ...given.kubernetes, kubeconfig: at(given.kubernetes.kubeconfig) },
    vault: { ...given.vault, keys: at(given.vault.keys) },
    postgres: { ...given.postgres, credentials: at(given.postgres.credentials) },
    gitea: { ...given.gitea, credentials: at(given.gitea.credentials) },
    ...(given.ca?.certificate === undefined ? {} : { ca: { ...given.ca, certificate: at(given.ca.certificate) } }),
    ...optional('factory'),
    ...optional('runbook'),
    ...optional('deviations'),
    ...optional('ci_key'),
  };
}

/** The configuration of the target that TARGET names, or why it cannot be read; undefined for `embedded`. */
export type Chosen = { read: ReadConfiguration } | { failure: OperatorError };

let chosen: { of: string; what: Chosen } | undefined;

/**
 * Never throws, because paths are asked for while modules load: whoever uses the target throws the failure.
 * @returns undefined when TARGET names none of `configuredTargets`.
 */
export function chosenConfiguration(name: string | undefined = process.env['TARGET']): Chosen | undefined {
  if (!isConfigured(name)) return undefined;
  if (chosen?.of !== name) chosen = { of: name, what: choose(name) };
  return chosen.what;
}

function choose(name: ConfiguredTarget): Chosen {
  try {
    const read = readConfiguration();
    if (read.configuration.target === name) return { read };
    throw new OperatorError({
      attempted: `use the target ${name}`,
      where: read.file,
      expected: `target: ${name}`,
      seen: `target: ${read.configuration.target}`,
      next: `run with TARGET=${read.configuration.target}, or name another file in SANDBOX_CONFIG.`,
      exitCode: 2,
    });
  } catch (thrown) {
    if (thrown instanceof OperatorError) return { failure: thrown };
    throw thrown;
  }
}
