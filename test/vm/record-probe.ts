/**
 * What the isolation probe finds under Docker's engine on this kernel, in each setting: as one line of base64 of brotli of JSON, since a line is
 * all that leads out of the virtual machine.
 *
 *   node test/vm/run.ts --docker --command 'node test/vm/record-probe.ts' | tee said
 *   sed -n 's/^recorded //p' said | base64 -d >test/support/probe-on-v2.json.br
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { command } from '../support/command.ts'
import { dockerEngine, shared } from '../support/needs.ts'
import { importProbe } from '../support/probe-image.ts'
import { probeSettings } from '../support/probe-settings.ts'

const host = await dockerEngine()
assert.ok(host !== undefined, 'no Docker Engine is here to record')
const folder = mkdtempSync(join(tmpdir(), 'tsc-'))
try {
  const docker = (args: readonly string[]) => command('docker', args, { env: { DOCKER_HOST: host }, timeout: 300_000 })
  await importProbe({ folder, docker }, shared('security/probe.c')!)
  const found: Record<string, unknown> = {}
  for (const [setting, flags] of Object.entries(probeSettings)) {
    const { stdout, stderr } = await docker(['run', '--rm', ...flags, 'secprobe:latest'])
    assert.ok(stdout.length > 1000, `the probe said nothing in ${setting}: ${stderr}`)
    found[setting] = JSON.parse(stdout)
    console.log(`${setting}: ${stdout.length} bytes`)
  }
  console.log(`recorded ${brotliCompressSync(JSON.stringify(found)).toString('base64')}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
