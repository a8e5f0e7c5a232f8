import { currentJudge } from './policy';
import { installSecondLine } from './second-line';

// Loaded with `node -r ts-node/register -r ./support/isolation/preload.ts`, before any client library takes hold of a socket.
installSecondLine(currentJudge);
