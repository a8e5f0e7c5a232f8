import { Before, type ITestCaseHookParameter } from '@cucumber/cucumber';
import { registerSandboxSecrets } from '../evidence/known-secrets';
import { redactor } from '../evidence/redaction';
import { eventually } from '../eventually';
import { isInterrupted } from '../interruption';
import { capabilities, type Capability, type Target } from '../target';
import { Leftovers } from '../undo';
import type { SandboxWorld } from '../world';

/** A stage may need a component that is still being built; the build says itself when it fails. Milliseconds. */
const stageBudget = { ms: 75 * 60_000 };

const leftovers = new Leftovers();

/** Names after `@needs:` or `@capability:` on a scenario. */
function tagged(prefix: string, { pickle }: ITestCaseHookParameter): string[] {
  return pickle.tags.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
}

async function isReady(target: Target, stage: string): Promise<boolean> {
  return (await target.ready(stage)).status === 'met';
}

function isCapability(name: string): name is Capability {
  return (capabilities as readonly string[]).includes(name);
}

Before(
  { name: 'the sandbox has what the scenario needs', timeout: stageBudget.ms + 60_000 },
  async function (this: SandboxWorld, scenario: ITestCaseHookParameter) {
    if (isInterrupted()) return this.skip('environment', 'the run was interrupted before this scenario began');
    const { target } = this;
    for (const name of tagged('@capability:', scenario)) {
      if (!isCapability(name)) throw new Error(`@capability:${name} is none of ${capabilities.join(', ')}`);
      if (!target.capabilities.has(name)) return this.skip('capability', `target ${target.name} cannot do ${name}`);
    }
    const stages = tagged('@needs:', scenario);
    for (const stage of stages) {
      await eventually(`stage ${stage} of target ${target.name} is ready`, () => target.ready(stage), stageBudget);
    }
    registerSandboxSecrets(redactor);
    // A scenario that needs no sandbox leaves it alone: this run does not hold it.
    const undone =
      stages.length === 0 ? [] : await leftovers.replay(target.identity(), (stage) => isReady(target, stage));
    if (undone.length > 0) this.log(`Undone for an earlier run that could not: ${undone.join('; ')}`);
    this.begin(`${scenario.pickle.uri}: ${scenario.pickle.name}`);
    return undefined;
  },
);
