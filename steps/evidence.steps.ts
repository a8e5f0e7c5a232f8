import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Given, Then, When } from '@cucumber/cucumber';
import { exportChange } from '../support/evidence/export';
import type { Verification } from '../support/evidence/ledger/verification';
import { verifyLedger } from '../support/evidence/ledger/verify';
import {
  checksumFindings,
  exportFindings,
  onlyEntry,
  runDnsGate,
  signedLedger,
  tamper,
  verificationFindings,
} from '../support/evidence/tampering';
import { Fact, type SandboxWorld } from '../support/world';

const ledger = new Fact<string>("a ledger's folder");
const verified = new Fact<Verification>('what verify says');
const exported = new Fact<string>('an exported folder');

/** A folder that is gone after the scenario. */
function folderFor(world: SandboxWorld): string {
  const home = mkdtempSync(join(tmpdir(), 'evidence-'));
  world.undo(`the folder ${home} is gone`, async () => rmSync(home, { recursive: true, force: true }));
  return home;
}

Given('a ledger of {int} entries, signed', function (this: SandboxWorld, count: number) {
  // A planted fault leaves a ledger that looks the same and is not.
  this.remember(ledger, process.env['PLANTED_LEDGER'] || signedLedger(join(folderFor(this), 'ledger'), count));
});

When('the DNS gate is run as its command, with a ledger of its own', async function (this: SandboxWorld) {
  const folder = this.remember(ledger, join(folderFor(this), 'ledger'));
  await this.show('npm run gate', await runDnsGate(folder));
  this.remember(verified, verifyLedger(folder));
});

Then(
  'the ledger has one entry: kind {string}, verdict {string}, of this commit',
  async function (this: SandboxWorld, kind: string, verdict: string) {
    await this.expectMet('entry', await onlyEntry(this.recall(ledger), kind, verdict));
  },
);

When(/^somebody has (.*)$/, function (this: SandboxWorld, words: string) {
  tamper(this.recall(ledger), words);
});

When('the ledger is verified from its first to its last byte', async function (this: SandboxWorld) {
  await this.showJson('verify', this.remember(verified, verifyLedger(this.recall(ledger))));
});

When('entry {int} is exported to a folder', async function (this: SandboxWorld, entry: number) {
  const folder = this.remember(exported, `${this.recall(ledger)}-export`);
  await exportChange(this.recall(ledger), folder, { ids: [String(entry)], commits: [] });
});

Then('it is whole', async function (this: SandboxWorld) {
  await this.expectMet('ledger', verificationFindings(this.recall(ledger), this.recall(verified)));
});

Then('it is broken at entry {int}: {string}', async function (this: SandboxWorld, entry: number, damage: string) {
  await this.expectMet('ledger', verificationFindings(this.recall(ledger), this.recall(verified), { entry, damage }));
});

Then(
  'the folder alone verifies, with {int} entry to read and {int} as links of the chain',
  async function (this: SandboxWorld, readable: number, links: number) {
    rmSync(this.recall(ledger), { recursive: true });
    await this.expectMet('export', exportFindings(this.recall(exported), readable, links));
  },
);

Then('coreutils agree about its files', async function (this: SandboxWorld) {
  await this.expectMet('checksums', await checksumFindings(this.recall(exported)));
});
