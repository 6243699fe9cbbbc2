/** Prints addresses: all in a list; of services that were named the addresses alone, one a line. */
import { Failure } from '../lib/failure.ts'
import type { UrlRow } from '../view/urls.ts'
import type { Call } from './command.ts'
import { printList } from './print.ts'

/** @throws Failure not-found when nothing of the services that were named is published */
export async function printUrls(
  { args, options, screen }: Call,
  project: string,
  rows: readonly UrlRow[],
): Promise<void> {
  const format = options['format'] as string | undefined
  if (args.length > 0 && format === undefined) {
    if (rows.length === 0)
      throw new Failure('not-found', `Nothing of ${args.join(', ')} in project "${project}" is published`)
    return screen.printAll(rows.map(row => row.URL))
  }
  await printList(screen, {
    format,
    rows,
    columns: { SERVICE: row => row.Service, PORT: row => row.Port, URL: row => row.URL },
    json: 'array',
  })
}
