import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import { differences, type Content } from '../support/erp/content-hash';
import { withLease } from '../support/erp/credentials';
import { damagedCopy } from '../support/erp/damage';
import { takeGolden, type GoldenManifest } from '../support/erp/golden';
import { sandbox } from '../support/erp/instances';
import * as probes from '../support/erp/probes';
import { probeSecretsApart } from '../support/erp/probes-fidelity';
import * as rehearsal from '../support/erp/rehearsal';
import { mended, mishapNamed } from '../support/erp/mishaps';
import { readMarker } from '../support/erp/reset/marker';
import { resetSandbox, type ResetResult } from '../support/erp/reset/reset';
import { reason } from '../support/failure';
import { compare, type Finding } from '../support/finding';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';
import { session } from './erp-checks.steps';

const golden = new Fact<GoldenManifest>('the golden');
const meant = new Fact<string>('the name of the golden to reset to');
const done = new Fact<ResetResult>("the reset's result");
const before = new Fact<Content>('what the sandbox held before');
const provisioned = new Fact<string[]>('what the provisioner owns');
const refusal = new Fact<string>("the reset's refusal");
const mishap = new Fact<string | undefined>('what goes wrong meanwhile');

async function reset(world: SandboxWorld): Promise<void> {
  const systems = connectSystems(world.target.inventory);
  const result = await resetSandbox(systems, { from: world.recall(meant), say: (line) => world.log(line) });
  world.remember(done, result);
  await world.showJson('reset', { user: result.user, seconds: result.seconds, golden: result.golden });
}

Given('a golden of production', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const manifest = this.remember(golden, await takeGolden(systems, (line) => this.log(line)));
  this.remember(meant, manifest.name);
  this.remember(session, undefined);
  this.remember(mishap, undefined);
  this.remember(provisioned, await probes.provisionerObjects(systems));
  this.undo('the golden of this scenario is gone', rehearsal.goldenGone({ golden: manifest.name }));
  this.undo('the sandbox of the ERP is whole', rehearsal.wholeAgain({ golden: manifest.name }));
});

Given('the sandbox was reset to that golden', async function (this: SandboxWorld) {
  await reset(this);
  this.remember(before, this.recall(done).final);
});

Then(
  'the sandbox is no longer the golden, in these parts among others:',
  async function (this: SandboxWorld, table: DataTable) {
    const changed = differences(
      this.recall(done).final,
      await probes.hashSandbox(connectSystems(this.target.inventory)),
    );
    const findings = table
      .hashes()
      .map(({ part = '' }) =>
        compare(part, 'changed', changed.includes(part) ? 'changed' : 'as before', 'content hash'),
      );
    await this.expectMet('parts the agent changed', findings);
  },
);

When('the sandbox is reset to that golden', async function (this: SandboxWorld) {
  await reset(this);
});

Then('what was restored is exactly the golden', async function (this: SandboxWorld) {
  const { content } = this.recall(golden);
  await this.expectMet('what was restored', [
    probes.sameContent('what was restored', content, this.recall(done).restored),
  ]);
});

Then('the overlay changed nothing but:', async function (this: SandboxWorld, table: DataTable) {
  const { restored, final } = this.recall(done);
  await this.expectMet('the overlay', [
    probes.overlayOnly(
      restored,
      final,
      table.hashes().map(({ part = '' }) => part),
    ),
  ]);
});

Then("the sandbox serves and shows the agent's writes no more", async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  await this.expectMet(
    'the sandbox serves',
    await probes.probeServesGolden(systems, this.recall(golden), this.recall(session)),
  );
});

Then(
  "what the provisioner owns in the sandbox's database are the same objects as before",
  async function (this: SandboxWorld) {
    const now = await probes.provisionerObjects(connectSystems(this.target.inventory));
    const finding = compare(
      'objects of the provisioner',
      this.recall(provisioned).join('; '),
      now.join('; '),
      'pg_proc, pg_database, pg_namespace',
    );
    await this.expectMet('objects of the provisioner', [finding]);
  },
);

Then('it holds exactly what it held after the reset before', async function (this: SandboxWorld) {
  await this.expectMet('twice in a row', [
    probes.sameContent('the second reset', this.recall(before), this.recall(done).final),
  ]);
});

Then("production's content is still that of the golden", async function (this: SandboxWorld) {
  const now = await probes.hashProduction(connectSystems(this.target.inventory));
  await this.expectMet('production', [probes.sameContent('production', this.recall(golden).content, now)]);
});

Given(
  "connections to the sandbox's database are open, directly and through PgBouncer",
  async function (this: SandboxWorld) {
    const open = await rehearsal.keepConnected(connectSystems(this.target.inventory));
    this.undo('the open connections are closed', async () => void (await open.stop()));
  },
);

Given('an agent writes to the sandbox without a pause', async function (this: SandboxWorld) {
  const writer = await rehearsal.writeWithoutPause(connectSystems(this.target.inventory));
  this.undo('the agent has stopped writing', async () => void (await writer.stop()));
});

Then('it was done by a user leased from {string}', async function (this: SandboxWorld, path: string) {
  const { user } = this.recall(done);
  const leased = compare('who did it', `leased from ${path}`, probes.leasedFrom(user, path), user);
  await this.expectMet('who did it', [leased]);
});

Then(
  'such a user is a member of {string} alone and has no power of its own or by membership',
  async function (this: SandboxWorld, role: string) {
    const { vault, inventory } = connectSystems(this.target.inventory);
    const probe = withLease(vault, inventory, sandbox.credentialsPath, (postgres) =>
      probes.probePowerless(postgres, sandbox.instance, role),
    );
    await this.expectMet('powers of the leased user', await probe);
  },
);

Then('the golden was taken by a user that every write is refused to', async function (this: SandboxWorld) {
  const finding = await probes.probeGoldenReadOnly(connectSystems(this.target.inventory));
  await this.expectMet('credentials of the golden', [finding]);
});

When('leased users are no longer made members of their role', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  this.undo('leased users are members of their role', rehearsal.membersAgain({}));
  await rehearsal.setMembership(systems, false);
  this.remember(before, this.recall(done).final);
});

When('leased users are made members of their role again', async function (this: SandboxWorld) {
  await rehearsal.setMembership(connectSystems(this.target.inventory), true);
});

async function inVain(world: SandboxWorld): Promise<string> {
  const systems = connectSystems(world.target.inventory);
  const name = world.recall(mishap);
  const meets = name === undefined ? undefined : mishapNamed(name);
  await meets?.prepare?.({ systems, target: world.target });
  const say = async (line: string): Promise<void> => {
    world.log(line);
    if (line === meets?.at) await meets.bring?.({ systems, target: world.target });
  };
  return resetSandbox(systems, { ...meets?.options, from: world.recall(meant), say }).then(() => 'it was done', reason);
}

Given(/^a reset during which (.+)$/, async function (this: SandboxWorld, name: string) {
  this.undo('the mishap is mended', mended({ mishap: name }));
  this.remember(mishap, name);
  this.remember(before, await probes.hashSandbox(connectSystems(this.target.inventory)));
});

When('that is mended', async function (this: SandboxWorld) {
  await mended({ mishap: this.recall(mishap) ?? '' }).run();
});

Then('a reset is refused because its user {string}', async function (this: SandboxWorld, why: string) {
  await this.expectMet('the refusal', [probes.says('the reset', why, await inVain(this))]);
});

Given('that golden is {}', async function (this: SandboxWorld, damage: string) {
  const systems = connectSystems(this.target.inventory);
  const { name, remove } = await damagedCopy(systems, this.recall(golden), damage);
  this.undo('the damaged golden is gone', remove);
  this.remember(meant, name);
  this.remember(before, await probes.hashSandbox(systems));
});

When('the sandbox is reset to that golden in vain', async function (this: SandboxWorld) {
  this.remember(refusal, await inVain(this));
});

Then('the reset says {string}', async function (this: SandboxWorld, words: string) {
  await this.expectMet('the refusal', [probes.says('the reset', words, this.recall(refusal))]);
});

Then('the sandbox is as before, and serves', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const findings: Finding[] = [
    probes.sameContent('the sandbox', this.recall(before), await probes.hashSandbox(systems)),
    compare('mark of a reset', 'none', (await readMarker(systems))?.state ?? 'none', 'Application erp-sandbox'),
    await probes.probeServing(systems),
  ];
  await this.expectMet('the sandbox is as before', findings);
});

async function killed(world: SandboxWorld, state: string, ...options: string[]): Promise<void> {
  const args = ['--from', world.recall(meant), ...options];
  const { code, output } = await rehearsal.resetCommand({ args, killAt: state });
  const ended = code === null ? 'killed' : `ended with ${code}: ${output.slice(-300)}`;
  await world.expectMet('the kill', [compare('the reset', 'killed', ended, 'SIGKILL')]);
}

When('a reset to that golden is killed while {string}', async function (this: SandboxWorld, state: string) {
  await killed(this, state);
});

When(
  'a reset to that golden with {string} is killed while {string}',
  async function (this: SandboxWorld, option: string, state: string) {
    await killed(this, state, option);
  },
);

Then(
  '`npm run reset -- --status` calls the sandbox {word} and says how to go on',
  async function (this: SandboxWorld, left: string) {
    await this.expectMet('what the sandbox says', await rehearsal.probeStatus(left));
  },
);

When('the sandbox is reset to that golden with {string}', async function (this: SandboxWorld, option: string) {
  const { code, output } = await rehearsal.resetCommand({ args: ['--from', this.recall(meant), option] });
  await this.show('reset', output);
  this.remember(refusal, output);
  await this.expectMet('the reset', [compare('the reset', 'exit code 0', `exit code ${code}`, output.slice(-400))]);
});

Then(
  /^what production encrypted (decrypts|is noise) in the sandbox, and its keys are (?:valid|refused) there$/,
  async function (this: SandboxWorld, how: string) {
    const findings = await probeSecretsApart(connectSystems(this.target.inventory), how === 'is noise');
    await this.expectMet('secrets of the instances', findings);
  },
);
