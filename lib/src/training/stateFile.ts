import { notice } from '../display';
import { isFromFileSystem, removeLeftovers } from '../writeWhole';
import { firstDifference, type Fingerprint } from './fingerprint';
import { SafetensorsFile, writeSafetensors, type SourceArray } from './safetensors';

const ADVICE = 'delete it to start over, or choose another name';

/** What a file must be, and who says so in errors. */
export interface StateIdentity {
  caller: string;
  format: string;
  fingerprint: Fingerprint;
}

/**
 * The state of a training in a file: all that is needed to go on as if nothing had happened. One file, so that its parts are
 * always of the same moment; in the safetensors format.
 */
export class StateFile {
  /** Epoch of the last successful save or restore; undefined before. */
  private savedEpoch: number | undefined;
  private failed = false;

  constructor(
    readonly file: string,
    private readonly identity: StateIdentity,
  ) {}

  /** The epoch at which a later call would go on. */
  get epoch(): number | undefined {
    return this.savedEpoch;
  }

  /**
   * Reads the file, and removes what killed processes have left of it.
   *
   * @param use  makes use of the stored progress and arrays; it may throw what `refusal` returns
   * @returns what `use` returns; undefined, without having called it, if there is no file
   * @throws Error naming the file if it is damaged or belongs to another run
   */
  async restore<Progress extends { epoch: number }, T>(
    use: (progress: Progress, stored: SafetensorsFile) => Promise<T>,
  ): Promise<T | undefined> {
    removeLeftovers(this.file);
    const stored = await this.open();
    if (stored === undefined) return undefined;
    try {
      this.checkIdentity(stored);
      const progress = JSON.parse(stored.metadata.progress) as Progress;
      const result = await use(progress, stored);
      this.savedEpoch = progress.epoch;
      return result;
    } finally {
      await stored.close();
    }
  }

  /**
   * Writes the state; the file is the old or the new one at every moment. The first save must succeed. Later a full disk is
   * no reason to lose the run: there is a notice, the file stays as it was, and the next save may succeed.
   *
   * @param progress  any JSON, with the number of complete epochs
   * @throws Error naming the file if nothing has been saved or restored yet and it cannot be written
   */
  async save(progress: { epoch: number }, arrays: SourceArray[]): Promise<void> {
    const { caller, format, fingerprint } = this.identity;
    const metadata = {
      format,
      fingerprint: JSON.stringify(fingerprint),
      progress: JSON.stringify(progress),
    };
    try {
      await writeSafetensors(this.file, metadata, arrays);
    } catch (error) {
      if (!isFromFileSystem(error)) throw error;
      const { message } = error;
      if (this.savedEpoch === undefined)
        throw new Error(`${caller}: checkpoint ${this.file} cannot be written: ${message}`);
      if (!this.failed)
        notice(
          `The checkpoint ${this.file} stays at epoch ${this.savedEpoch}: it could not be written (${message}). ` +
            'The training goes on, and tries again after every epoch.',
        );
      this.failed = true;
      return;
    }
    this.savedEpoch = progress.epoch;
    this.failed = false;
  }

  /** An error that says why the file cannot be used. */
  refusal(reason: string): Error {
    return new Error(
      `${this.identity.caller}: checkpoint ${this.file} belongs to another run: ${reason}; ${ADVICE}`,
    );
  }

  private async open(): Promise<SafetensorsFile | undefined> {
    try {
      return await SafetensorsFile.open(this.file);
    } catch (error) {
      const reason = (error as Error).message;
      const { caller } = this.identity;
      throw new Error(
        isFromFileSystem(error)
          ? `${caller}: checkpoint ${this.file} cannot be read: ${reason}`
          : `${caller}: checkpoint ${this.file} is damaged: ${reason}; ${ADVICE}`,
      );
    }
  }

  private checkIdentity({ metadata }: SafetensorsFile): void {
    const { format, fingerprint } = this.identity;
    if (metadata.format !== format)
      throw this.refusal(`its format is ${metadata.format}, expected ${format}`);
    const difference = firstDifference(JSON.parse(metadata.fingerprint) as Fingerprint, fingerprint);
    if (difference !== undefined)
      throw this.refusal(`${difference.name} is ${difference.there} there, ${difference.here} here`);
  }
}
