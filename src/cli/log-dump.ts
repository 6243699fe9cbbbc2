/** The last lines of containers that failed: the reason is most often there. */
import type { Client } from '../client/client.ts'
import type { Annotations } from './annotations.ts'

/** How many lines of how many containers are shown; a log that is kept and folded has room for more. */
export function dumpLimits({ style }: Annotations): { readonly containers: number; readonly lines: number } {
  return style === 'none' ? { containers: 5, lines: 10 } : { containers: 20, lines: 50 }
}

/** None where they cannot be had: the failure itself is on its way to the user, and this is an extra. */
export async function lastLines(client: Client, name: string, count = 10): Promise<readonly string[]> {
  return await readLines(client, name, count).catch(() => [])
}

async function readLines(client: Client, name: string, count: number): Promise<readonly string[]> {
  const { containerEndpoints } = await import('../api/containers.ts')
  const query = { stdout: true, stderr: true, tail: String(count) }
  const output = await client.stream(containerEndpoints.containerLogs, { params: { id: name }, query })
  const chunks: Uint8Array[] = []
  for await (const { data } of output) chunks.push(data)
  return Buffer.concat(chunks)
    .toString('utf8')
    .trimEnd()
    .split(/\r?\n/)
    .filter(line => line !== '')
}
