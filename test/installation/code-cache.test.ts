/** The code that packages bring compiled: made by running commands of the bundle, as .ci/package/package.ts has it done. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

const [maker, bundle] = ['.ci/package/code-cache.ts', 'build/cli.js'].map(path =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url)),
) as [string, string]

test('commands of the bundle run in the maker of compiled code, and Node takes what it made', {
  skip: !existsSync(bundle) && 'the bundle is not made (.ci/setup)',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-code-'))
  try {
    const cache = join(folder, 'cli.js.cache')
    execFileSync(process.execPath, [maker, bundle, cache])
    assert.ok(statSync(cache).size > 100_000)
    const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle, cachedData: readFileSync(cache) })
    assert.equal(script.cachedDataRejected, false)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
