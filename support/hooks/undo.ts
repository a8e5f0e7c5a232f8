import { After } from '@cucumber/cucumber';
import type { SandboxWorld } from '../world';

/** Undoing may include waiting until things are gone; each wait has its own budget. Milliseconds. */
const undoTimeout = 15 * 60_000;

After({ name: 'undo what the scenario did', timeout: undoTimeout }, async function (this: SandboxWorld) {
  await this.undoAll();
});
