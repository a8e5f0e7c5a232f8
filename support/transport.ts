import pRetry, { AbortError } from 'p-retry';
import { isTransportError } from './product-error';

/**
 * Sends a request, again when the transport failed (three times within about a second: a service that restarts).
 * An answer, also a refusal, is final.
 */
export function withTransport<T>(send: () => Promise<T>): Promise<T> {
  return pRetry(
    () =>
      send().catch((thrown: unknown) => {
        if (isTransportError(thrown) || !(thrown instanceof Error)) throw thrown;
        throw new AbortError(thrown);
      }),
    { retries: 3, minTimeout: 100, factor: 2, maxTimeout: 600 },
  );
}
