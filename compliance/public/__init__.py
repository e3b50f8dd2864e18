"""The pages for everybody: `/privacy`, the notice and requests about one's own data, and `/verify`."""
