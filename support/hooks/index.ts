import { setDefaultTimeout } from '@cucumber/cucumber';
// First: no client may take hold of a socket before the second line of the isolation boundary is in place.
import '../isolation/preload';
import '../world';
// Before hooks run in the order of definition, After hooks in the opposite one: a failure is looked at, then undone, and
// last the commands of both are attached.
import './gates';
import './commands';
import './undo';
import './failure-context';

// Waits have budgets of their own and say what they waited for; this only ends a step that hangs without waiting.
setDefaultTimeout(300_000);
