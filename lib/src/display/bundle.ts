import { runningCell } from './kernel';

/** One output in several representations, by MIME type: the front end shows the richest it knows. */
export type MimeBundle = { 'text/plain': string } & Record<string, unknown>;

export interface BundleOptions {
  /** Names the output, so that a later call can replace it. */
  id?: string;
  /** Replaces the output of that id instead of adding one. */
  update?: boolean;
  /** By MIME type, e.g. the width of an image. */
  metadata?: Record<string, unknown>;
}

/**
 * Shows one output under the running cell; outside a notebook, prints its text/plain.
 *
 * @throws Error if `update` is asked for without an `id`
 */
export function displayBundle(
  data: MimeBundle,
  { id, update = false, metadata = {} }: BundleOptions = {},
): void {
  if (update && id === undefined)
    throw new Error('displayBundle: update needs the id of the output to replace');
  const send = runningCell();
  if (send === null) {
    console.log(data['text/plain']);
    return;
  }
  send({ data, metadata, transient: id === undefined ? {} : { display_id: id } }, update);
}

/** Text for use between HTML tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
