import { sandbox } from './targets/k3d-sandbox';
import { equal, match } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { selectTarget } from '../../support/target';
import { keepsTheContract } from './targets/contract';
import { containerInspect } from './targets/recorded/k3d';
import { answers } from './targets/recorded/kubernetes';
import { answering } from './targets/server';

let recorded = answers(['k3d-sandbox-server-0']);
answering(sandbox.port, () => recorded);

const docker = (of: Parameters<typeof containerInspect>[0]): void =>
  writeFileSync(join(sandbox.folder, 'bin', 'containers.json'), containerInspect(of));

keepsTheContract({ name: 'k3d', capabilities: [], ready: 'machines', silent: 'postgres', parts: true }, () =>
  selectTarget(),
);

describe('target k3d', () => {
  it('says which container does not run', async () => {
    docker({ postgresRunning: false, giteaAddress: '127.0.30.5' });
    const finding = await selectTarget().ready('machines');
    equal(finding.status, 'unmet');
    match(finding.actual, /not running: sandbox-postgres/);
  });

  it('says which container lies outside of the configured network', async () => {
    docker({ postgresRunning: true, giteaAddress: '172.17.0.2' });
    match((await selectTarget().ready('machines')).actual, /outside of the networks: sandbox-gitea at 172\.17\.0\.2/);
  });

  it('calls k3s upstream when the node’s image is of the version that answers, else unknown', async () => {
    const part = async (): Promise<string> =>
      (await selectTarget().parts()).find(({ name }) => name === 'k3s')?.provenance ?? '';
    equal(await part(), 'upstream');
    recorded = { ...recorded, '/version': { major: '1', minor: '34', gitVersion: 'v1.34.4+k3s1' } };
    equal(await part(), 'unknown');
  });

  it('proves no image, because nobody looked for mirrors in the node', async () => {
    const parts = await selectTarget().parts();
    equal(parts.find(({ name }) => name === 'argocd')?.provenance, 'unknown');
  });
});
