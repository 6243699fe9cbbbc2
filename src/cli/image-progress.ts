/** The progress lines of load, import and pull: what they end with, or the failure among them. */
import type { Progress } from '../api/json-lines.ts'
import { Failure } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Screen } from './screen.ts'

/** Says each line worth reading and returns the last status. @throws Failure of a line that says so */
export async function readProgress(lines: AsyncIterable<Progress>, screen: Screen): Promise<string | undefined> {
  let last: string | undefined
  for await (const { status, stream, error, progressDetail } of lines) {
    if (error !== undefined) throw new Failure('internal', error)
    if (stream !== undefined && stream.trim() !== '') screen.say(printable(stream.trim()))
    // how far each layer is would be a line a moment; what is left are turns worth knowing
    if (status !== undefined && !progressDetail?.total) last = status
  }
  return last
}
