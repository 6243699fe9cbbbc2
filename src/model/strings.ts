/** Text by name: labels, options, sysctls. */

export type Strings = Readonly<Record<string, string>>
