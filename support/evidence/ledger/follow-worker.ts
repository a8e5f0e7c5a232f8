import { parentPort, workerData } from 'node:worker_threads';
import { followParts, type Shares } from './follow-part';

// A thread beside the one that asks. It reads a file and computes hashes, no more: the boundary has nothing to judge here.
parentPort?.postMessage(followParts(workerData as Shares));
