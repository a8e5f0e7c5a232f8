import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ansibleEnvironment, ensureAnsible } from '../support/ansible/environment';
import { run } from '../support/command';
import { redactor } from '../support/evidence/redaction';
import { interruption } from '../support/interruption';
import type { Inventory } from '../support/inventory';
import { factoryHome, secretPath, targetHome } from '../support/paths';
import { readClusterKeys, readGiteaAdmin, readPostgresAdmin } from '../support/sandbox-secrets';
import { sshAccess } from '../support/ssh-access';

/** What a command of the runbook left. Output is redacted. */
export interface ShellResult {
  exitCode: number;
  /** Standard output and errors, redacted, at most the last 20 000 characters. */
  output: string;
  /** True when it was ended because its time was up. */
  timedOut: boolean;
}

/** The shell in which a section of the runbook is followed. */
export interface OperatorShell {
  /** Runs a block verbatim in a bash of its own, in the factory's ansible folder. A hanging one is ended, children included. */
  run(text: string, withinMs: number): Promise<ShellResult>;
}

const keptOutput = 20_000;

/** Exit codes of timeout(1): its time was up, or it had to kill. */
const timedOutCodes = [124, 137];

/**
 * Opens the operator's shell on the sandbox: kubectl, vault, ansible-playbook, ssh, psql, git and curl find the sandbox,
 * and nothing else, by their usual variables. Every command goes through the isolation boundary.
 * @throws OperatorError when a credential of the sandbox is missing.
 */
export async function openOperatorShell(
  inventory: Inventory,
  variables: Readonly<Record<string, string>> = {},
): Promise<OperatorShell> {
  const env = { ...(await operatorEnvironment(inventory)), ...variables };
  return {
    run: async (text, withinMs) => {
      // timeout(1) leads a process group of its own and ends all of it: a hanging grandchild does not outlive its step.
      const seconds = (withinMs / 1000).toFixed(3);
      const signal = interruption();
      const ended = await run(
        'timeout',
        [`--kill-after=5s`, `${seconds}s`, 'bash', '--noprofile', '--norc', '-euo', 'pipefail', '-c', text],
        {
          cwd: join(factoryHome, 'ansible'),
          env,
          allowFailure: true,
          timeoutMs: withinMs + 30_000,
          ...(signal === undefined ? {} : { signal }),
        },
      );
      signal?.throwIfAborted();
      const said = [ended.stdout, ended.stderr].filter((part) => part !== '').join('\n');
      const output = redactor.text(said).slice(-keptOutput);
      return { exitCode: ended.exitCode, output, timedOut: timedOutCodes.includes(ended.exitCode) };
    },
  };
}

/** The variables the runbook may rely on; its own head lists them for the operator. */
export async function operatorEnvironment(inventory: Inventory): Promise<Record<string, string>> {
  const ansible = await ansibleEnvironment(await ensureAnsible());
  const postgres = readPostgresAdmin();
  const [host = '', port = ''] = inventory.endpoints.postgres.split(':');
  const token = readGiteaAdmin().token;
  redactor.register(token);
  return {
    ...ansible,
    PATH: `${operatorPrograms(inventory)}:${ansible['PATH'] ?? ''}`,
    KUBECONFIG: secretPath('kubeconfig'),
    VAULT_ADDR: inventory.endpoints.vault,
    VAULT_TOKEN: readClusterKeys().root_token,
    PGHOST: host,
    PGPORT: port,
    PGUSER: postgres.username,
    PGPASSWORD: postgres.password,
    PGDATABASE: 'postgres',
    GITEA: `${inventory.endpoints.gitea}/${inventory.giteaOrg}`,
    BUCKET: `${inventory.endpoints.bucket}/storage/v1/b/${inventory.backupBucket}`,
    // git over HTTP as the operator; the header goes to the sandbox's Gitea alone.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${inventory.endpoints.gitea}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: token ${token}`,
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'operator',
    GIT_AUTHOR_EMAIL: 'operator@arcodange.lab',
    GIT_COMMITTER_NAME: 'operator',
    GIT_COMMITTER_EMAIL: 'operator@arcodange.lab',
  };
}

/** A folder with an ssh that knows the sandbox's machines by name, and only those host keys. */
function operatorPrograms(inventory: Inventory): string {
  const folder = join(targetHome, 'run', 'operator');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { user, key, knownHosts } = sshAccess();
  const hosts = inventory.machines.map(
    ({ name, address, port = 22 }) => `Host ${name}\n  HostName ${address}\n  Port ${port}\n`,
  );
  const common = [
    'Host *',
    `  User ${user}`,
    `  IdentityFile ${key}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${knownHosts}`,
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
    '  ConnectTimeout 5',
    '  ServerAliveInterval 5',
  ];
  const config = join(folder, 'ssh_config');
  writeFileSync(config, `${hosts.join('')}${common.join('\n')}\n`, { mode: 0o600 });
  for (const program of ['ssh', 'scp']) {
    const file = join(folder, program);
    writeFileSync(file, `#!/bin/sh\nexec /usr/bin/${program} -F ${config} "$@"\n`);
    chmodSync(file, 0o700);
  }
  return folder;
}
