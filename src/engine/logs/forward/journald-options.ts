/** The options of driver journald: what every message tells beside the line. Pure. */
import { attributeOptions, type LogDriver } from '../driver.ts'
import { checkAttributes } from '../log-info.ts'

export const journald: LogDriver = {
  options: attributeOptions,
  unknown: option => `unknown log opt '${option}' for journald log driver`,
  check: checkAttributes,
}
