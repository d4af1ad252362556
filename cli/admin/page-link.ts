import { offersMonitor } from '../connection/monitor-offer.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { sdkOf } from '../connection/with-sdk.ts';
import { NotOffered } from '../monitor/not-offered.ts';
import { RestClient } from '../monitor/rest/rest-client.ts';

/** An address that signs a browser in to the page with the connection's token: once, and until a time. */
export interface PageLink {
  url: string;
  expiresAt: string;
}

/** @throws ServerError, NotOffered where the engine is none of ours */
export async function makePageLink(connection: Connection): Promise<PageLink> {
  if (!(await offersMonitor(connection))) throw new NotOffered('page');
  const hatchet = sdkOf(connection);
  try {
    const { config } = hatchet;
    const { code, expiresAt } = await new RestClient(config).post<{ code: string; expiresAt: string }>(
      '/api/v1/page/links',
    );
    // What follows the # is sent to nobody: it stands in no log of a server or a proxy.
    return { url: `${config.apiUrl.replace(/\/$/, '')}/sign-in#code=${code}`, expiresAt };
  } finally {
    hatchet.close();
  }
}
