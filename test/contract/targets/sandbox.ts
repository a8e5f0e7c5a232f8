import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** A configured target for one test process: its folder, its ports, the environment that chooses it. */
export interface TestSandbox {
  folder: string;
  /** Where the recorded answers are given. */
  port: number;
  /** A port on which nobody listens. */
  silentPort: number;
}

/** Programs that stand in for `ssh`, `k3d` and `docker`, found before the real ones. */
type Program = [name: string, script: string];

/**
 * Writes a configuration and chooses it. To be called before anything of `support/` is loaded: paths are taken from the
 * environment at that moment.
 */
export function chooseSandbox(target: 'vms' | 'k3d', own: object, programs: readonly Program[]): TestSandbox {
  const folder = mkdtempSync(join(tmpdir(), `target-${target}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const port = 20_000 + ((process.pid * 4) % 12_000);
  const at = `http://127.0.0.1:${port}`;
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), text, { mode });
    return join(folder, name);
  };
  mkdirSync(join(folder, 'secrets'), { mode: 0o700 });
  mkdirSync(join(folder, 'bin'));
  for (const [name, script] of programs) {
    const path = join(folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const machines = target === 'vms' ? ['pi1', 'pi2', 'pi3'] : ['k3d-sandbox-server-0'];
  const host = (name: string): [string, object] => [name, { ansible_host: '127.0.0.1', ansible_port: port }];
  file(
    'inventory.yaml',
    stringify({
      all: {
        vars: { of_the_operator: 'kept' },
        children: {
          cluster: { hosts: Object.fromEntries(machines.map(host)) },
          postgres: { hosts: { [machines[1] ?? machines[0] ?? '']: null } },
        },
      },
    }),
  );
  file(
    'kubeconfig',
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'sandbox',
      clusters: [{ name: 'sandbox', cluster: { server: at, 'insecure-skip-tls-verify': true } }],
      contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin' } }],
      users: [{ name: 'admin', user: {} }],
    }),
  );
  file('keys.json', JSON.stringify({ unseal_keys_b64: ['c2hhcmU='], root_token: 'test-root' }));
  file('postgres.json', JSON.stringify({ username: 'postgres', password: 'test' }));
  file('gitea.json', JSON.stringify({ username: 'operator', password: 'test', token: 'test-token' }));
  const configuration = {
    target,
    network: { machines: '127.0.0.0/8', operator: '127.0.0.1', dns: '127.0.0.1' },
    inventory: 'inventory.yaml',
    kubernetes: { kubeconfig: 'kubeconfig', context: 'sandbox' },
    vault: { address: at, keys: 'keys.json' },
    postgres: { address: `127.0.0.1:${port + 1}`, pgbouncer: `127.0.0.1:${port + 1}`, credentials: 'postgres.json' },
    gitea: { address: at, credentials: 'gitea.json' },
    argocd: { address: at },
    bucket: { address: at },
    secrets: 'secrets',
    ...own,
  };
  Object.assign(process.env, {
    TARGET: target,
    SANDBOX_CONFIG: file('sandbox.config.yaml', stringify(configuration)),
    XDG_STATE_HOME: join(folder, 'state'),
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
  });
  return { folder, port, silentPort: port + 1 };
}
