/** An image with busybox, of containers that answer datagrams and ask for them: udp-server.c and udp-ask.c. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from './command.ts'
import { busyboxFiles, tinyImageTar } from './tiny-image.ts'

export async function udpImageTar(tag: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-udp-'))
  try {
    const programs: Record<string, { content: Buffer; mode: number }> = {}
    for (const name of ['udp-server', 'udp-ask']) {
      const made = join(folder, name)
      const source = fileURLToPath(new URL(`${name}.c`, import.meta.url))
      const built = await command('gcc', ['-static', '-O2', '-o', made, source])
      assert.equal(built.code, 0, built.stderr)
      programs[`bin/${name}`] = { content: readFileSync(made), mode: 0o755 }
    }
    return await tinyImageTar({
      tag,
      files: { ...busyboxFiles(), ...programs },
      config: { Cmd: ['sleep', 'infinity'] },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
