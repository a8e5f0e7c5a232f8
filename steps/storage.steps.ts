import { randomBytes } from 'node:crypto';
import { Given, Then, When } from '@cucumber/cucumber';
import { eventually } from '../support/eventually';
import { connectKubernetes } from '../support/kubernetes/client';
import { documentsVolume, hashOf, imageOf, putFile, readReplicas, vaultVolume } from '../support/storage/client';
import { flipBytes } from '../support/storage/faults';
import { probeFile, probeNoticed, probeOnDisk, probeVolumeHealthy } from '../support/storage/probes';
import { connectVault } from '../support/vault/client';
import { markedPolicyGone, newMarkedPolicy, writeMarkedPolicy } from '../support/vault/marked-policy';
import { probePolicyRules } from '../support/vault/probes';
import { Fact, type SandboxWorld } from '../support/world';

const theVolume = new Fact<string>('the volume');
/** What was written to it: a file's or a policy's name, what of it can be found on a disk, SHA-256 of its content. */
const written = new Fact<{ name: string; marker: string; hash: string }>('what was written');
const damaged = new Fact<{ machines: string[]; since: string }>('what was damaged');

Given('the volume of the app "documents" is healthy', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  const name = this.remember(theVolume, await documentsVolume(kubernetes));
  await eventually('the volume is healthy', () => probeVolumeHealthy(kubernetes, name), 'boot');
});

Given('the volume of Vault’s data is healthy', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  const name = this.remember(theVolume, await vaultVolume(kubernetes));
  await eventually('the volume is healthy', () => probeVolumeHealthy(kubernetes, name), 'boot');
});

When('Vault is given a policy', async function (this: SandboxWorld) {
  const policy = newMarkedPolicy();
  this.undo(`policy ${policy.name} is gone`, markedPolicyGone({ name: policy.name }));
  await writeMarkedPolicy(connectVault(this.target.inventory), policy);
  this.remember(written, { ...policy, marker: policy.name });
});

When('the app is given a file', async function (this: SandboxWorld) {
  const marker = `marker-${randomBytes(8).toString('hex')}`;
  const content = Buffer.from(`${marker}\n`.repeat(1_000));
  this.remember(written, { name: 'storage-feature.txt', marker, hash: hashOf(content) });
  await putFile(connectKubernetes(), 'storage-feature.txt', content);
});

Then('its content lies in a replica on each of the three machines', async function (this: SandboxWorld) {
  const [volume, { marker }] = [this.recall(theVolume), this.recall(written)];
  const replicas = await readReplicas(connectKubernetes(), volume);
  const found = await Promise.all(replicas.map((replica) => probeOnDisk(this.target, replica, marker)));
  await this.expectMet('replicas', found);
});

When('bytes of it are overwritten in two replicas', async function (this: SandboxWorld) {
  const [volume, { marker }] = [this.recall(theVolume), this.recall(written)];
  const chosen = (await readReplicas(connectKubernetes(), volume)).slice(0, 2);
  const since = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
  this.remember(damaged, { machines: chosen.map(({ spec }) => spec.nodeID), since });
  for (const one of chosen) await flipBytes(this.target, one.spec.nodeID, imageOf(one), marker);
});

Then('both are noticed to be corrupt', async function (this: SandboxWorld) {
  const [volume, { machines, since }] = [this.recall(theVolume), this.recall(damaged)];
  const kubernetes = connectKubernetes();
  await eventually('the damage is noticed', () => probeNoticed(kubernetes, volume, machines, since), 'sync');
});

Then('the volume is healthy again', async function (this: SandboxWorld) {
  const [kubernetes, volume] = [connectKubernetes(), this.recall(theVolume)];
  await eventually('the volume is healthy', () => probeVolumeHealthy(kubernetes, volume), 'sync');
});

Then('the app serves the file as it was', async function (this: SandboxWorld) {
  const { name, hash } = this.recall(written);
  await this.expectMet('file', [await probeFile(connectKubernetes(), name, hash)]);
});

Then('Vault has the policy as it was', async function (this: SandboxWorld) {
  const { name, hash } = this.recall(written);
  await this.expectMet('policy', [await probePolicyRules(connectVault(this.target.inventory), name, hash)]);
});
