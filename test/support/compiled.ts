/** Programs of C that tests need beside the product's own. */
import assert from 'node:assert/strict'
import { basename, join } from 'node:path'
import { command } from './command.ts'

/** Where it stands in `folder`: a program that needs no library, so that it runs in any root. */
export async function compiled(folder: string, source: string): Promise<string> {
  const made = join(folder, basename(source, '.c'))
  const { code, stderr } = await command('gcc', ['-static', '-O2', '-pthread', '-o', made, source])
  assert.equal(code, 0, stderr)
  return made
}
