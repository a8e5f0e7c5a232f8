import { sandbox } from './targets/vms-sandbox';
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { AwaitTimeout } from '../../support/eventually';
import { inventoryFile } from '../../support/paths';
import { proveOwnCluster } from '../../support/target/configured/proof';
import { selectTarget } from '../../support/target';
import { keepsTheContract } from './targets/contract';
import { answers } from './targets/recorded/kubernetes';
import { answering } from './targets/server';

const nodes = ['pi1', 'pi2', 'pi3'];
answering(sandbox.port, () => answers(nodes));

keepsTheContract(
  {
    name: 'vms',
    capabilities: ['ssh', 'power', 'power-cut', 'three-machines'],
    ready: 'kubernetes',
    silent: 'postgres',
    parts: true,
  },
  () => selectTarget(),
);

describe('target vms', () => {
  it('is proven before a command acts on it: every node that answers lies in its networks', async () => {
    await proveOwnCluster();
  });

  it('lays the configuration over the operator’s inventory, which keeps its own', () => {
    const { all } = parse(readFileSync(inventoryFile, 'utf8')) as { all: { vars: Record<string, unknown> } };
    equal(all.vars['of_the_operator'], 'kept');
    equal(all.vars['network_cidr'], '127.0.0.0/8');
    equal(all.vars['ansible_user'], 'root');
  });

  it('runs a program on a machine through ssh, with the sandbox’s key and no configuration of the operator', async () => {
    const { stdout } = await selectTarget().onMachine('pi2', ['echo', 'here', '|', 'tr', 'a-z', 'A-Z']);
    equal(stdout, 'HERE');
    match(
      readFileSync(join(sandbox.folder, 'ssh.log'), 'utf8'),
      /-F none -i \S+\/id_ed25519 -p \d+ .*root@127\.0\.0\.1/,
    );
  });

  it('calls sealed Vault not ready, and an operator without Deployments not there', async () => {
    match((await selectTarget().ready('vault')).actual, /sealed/);
    match((await selectTarget().ready('secrets-operator')).actual, /none there/);
  });

  it('proves what it can: k3s by its version, images by repository, version and registry', async () => {
    const parts = await selectTarget().parts();
    const found = Object.fromEntries(parts.map(({ name, version, provenance }) => [name, `${version} ${provenance}`]));
    deepEqual(found, {
      machines: '6.8.0-45-generic arm64 unknown',
      k3s: 'v1.34.3+k3s1 upstream',
      longhorn: 'v1.9.1 upstream',
      'secrets-operator': '0.10.0 upstream',
      argocd: 'v3.2.0 upstream',
      vault: '1.21.0 unknown',
      postgres: 'unknown unknown',
      gitea: '1.25.2 unknown',
    });
  });

  it('pulls the plug with the configured command and believes it only when the machine is silent', async () => {
    // The switch ends well, but the machine goes on answering: not obeyed.
    const cut = selectTarget().power('pi3', 'cut');
    await rejects(cut, (thrown) => thrown instanceof AwaitTimeout && /did not obey/.test(thrown.message));
    match(readFileSync(join(sandbox.folder, 'switch.log'), 'utf8'), /^--force pi3$/m);
  });

  it('finds a machine that was switched on when it answers', async () => {
    await selectTarget().power('pi1', 'on');
    match(readFileSync(join(sandbox.folder, 'switch.log'), 'utf8'), /^on pi1$/m);
  });
});
