import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import { workAsAgent, type Session } from '../support/erp/agent';
import { connectSandboxErp } from '../support/erp/client';
import { differences, type Content } from '../support/erp/content-hash';
import { readSecrets, withLease } from '../support/erp/credentials';
import { damagedCopy } from '../support/erp/damage';
import { takeGolden, type GoldenManifest } from '../support/erp/golden';
import { sandbox } from '../support/erp/instances';
import * as probes from '../support/erp/probes';
import * as rehearsal from '../support/erp/rehearsal';
import { halfReset, readMarker } from '../support/erp/reset/marker';
import { resetSandbox, type ResetResult } from '../support/erp/reset/reset';
import { reason } from '../support/failure';
import { compare, type Finding } from '../support/finding';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const golden = new Fact<GoldenManifest>('the golden');
const meant = new Fact<string>('the name of the golden to reset to');
const done = new Fact<ResetResult>("the reset's result");
const before = new Fact<Content>('what the sandbox held before');
const provisioned = new Fact<string[]>('what the provisioner owns');
const session = new Fact<Session | undefined>("the agent's session");
const refusal = new Fact<string>("the reset's refusal");

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
  this.remember(provisioned, await probes.provisionerObjects(systems));
  this.undo('the golden of this scenario is gone', rehearsal.goldenGone({ golden: manifest.name }));
  this.undo('the sandbox of the ERP is whole', rehearsal.wholeAgain({ golden: manifest.name }));
});

Given('the sandbox was reset to that golden', async function (this: SandboxWorld) {
  await reset(this);
  this.remember(before, this.recall(done).final);
});

When('an agent works in the sandbox over its API', async function (this: SandboxWorld) {
  const { vault, kubernetes } = connectSystems(this.target.inventory);
  const secrets = await readSecrets(vault, sandbox.instance);
  this.remember(session, await workAsAgent(await connectSandboxErp(kubernetes, secrets.ai_agent_api_key)));
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
  return resetSandbox(systems, { from: world.recall(meant), say: (line) => world.log(line) }).then(
    () => 'it was done',
    reason,
  );
}

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

When('a reset to that golden is killed while {string}', async function (this: SandboxWorld, state: string) {
  const { code, output } = await rehearsal.resetCommand({ golden: this.recall(meant), killAt: state });
  await this.expectMet('the kill', [
    compare('the reset', 'killed', code === null ? 'killed' : `ended with ${code}: ${output.slice(-300)}`, 'SIGKILL'),
  ]);
});

Then('the sandbox says that it is {word}', async function (this: SandboxWorld, left: string) {
  const marker = await readMarker(connectSystems(this.target.inventory));
  const says = marker === undefined ? 'whole' : halfReset.includes(marker.state) ? 'half-reset' : 'stopped';
  await this.expectMet('what the sandbox says', [compare('the sandbox', left, says, 'Application erp-sandbox')]);
});
