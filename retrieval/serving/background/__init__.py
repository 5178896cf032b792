"""An index that is fetched or built in the background while another one answers."""
