/** An engine's folders in a temporary place, for one test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Paths } from '../../src/engine/base/paths.ts'

/** Removed after the test, whether it passed or not. */
export function temporaryFolder(t: TestContext, place = tmpdir()): string {
  const folder = mkdtempSync(join(place, 'tscompose-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function temporaryPaths(t: TestContext): Paths {
  const folder = temporaryFolder(t)
  return new Paths({ data: join(folder, 'data'), run: join(folder, 'run'), netns: join(folder, 'netns') })
}
