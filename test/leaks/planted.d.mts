export declare const PLANTED: Readonly<Record<string, string>>
