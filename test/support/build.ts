/** A build by the classic endpoint of a test's engine; all of its lines. */
import { endpoints } from '../../src/api/endpoints.ts'
import type { BuildLine } from '../../src/api/json-lines.ts'
import { createClient } from '../../src/client/client.ts'
import type { TestEngine } from './engine.ts'
import { type TinyFiles, tinyTar } from './tiny-image.ts'

export async function build(
  engine: TestEngine,
  query: Readonly<Record<string, unknown>>,
  files: TinyFiles,
  onLine: (line: BuildLine) => void = () => {},
): Promise<readonly BuildLine[]> {
  const client = createClient(engine.host)
  try {
    const lines: BuildLine[] = []
    for await (const line of await client.stream(endpoints.imageBuild, { query, body: await tinyTar(files) })) {
      lines.push(line)
      onLine(line)
    }
    return lines
  } finally {
    client.close()
  }
}
