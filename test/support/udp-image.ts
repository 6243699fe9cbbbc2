/** An image with busybox, of containers that answer datagrams and ask for them: udp-server.c and udp-ask.c. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compiled } from './compiled.ts'
import { busyboxFiles, tinyImageTar } from './tiny-image.ts'

export async function udpImageTar(tag: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-udp-'))
  try {
    const programs: Record<string, { content: Buffer; mode: number }> = {}
    for (const name of ['udp-server', 'udp-ask']) {
      const made = await compiled(folder, fileURLToPath(new URL(`${name}.c`, import.meta.url)))
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
