import { After, Before } from '@cucumber/cucumber';
import { observeCommands } from '../command';
import { registerSandboxSecrets } from '../evidence/known-secrets';
import { redactor } from '../evidence/redaction';
import type { SandboxWorld } from '../world';

let stopObserving: (() => void) | undefined;

Before({ name: 'record the commands' }, function (this: SandboxWorld) {
  stopObserving = observeCommands((result) => this.transcript.add(result));
});

After({ name: 'attach the commands' }, async function (this: SandboxWorld) {
  stopObserving?.();
  // What the scenario itself had made (tokens, key files) must be known before its evidence is written.
  registerSandboxSecrets(redactor);
  const text = this.transcript.text();
  if (text !== undefined) await this.show('commands', text);
});
