<qgis version="3.22.0-Białowieża" labelsEnabled="0" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="singleSymbol" symbollevels="1">
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" value="" type="QString" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" value="true" type="bool" />
        <Option name="expression" value="if(@atlas_featureid IS NULL OR (&quot;urn&quot; = attribute(@atlas_feature, 'urn') AND &quot;number&quot; = attribute(@atlas_feature, 'number')), 100, 0)" type="QString" />
        <Option name="type" value="3" type="int" />
       </Option>
      </Option>
      <Option name="type" value="collection" type="QString" />
     </Option>
    </data_defined_properties>
    <layer class="MarkerLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="interval" value="16" type="QString" />
      <Option name="interval_unit" value="MM" type="QString" />
      <Option name="placements" value="Interval" type="QString" />
     </Option>
     <symbol name="@0@0" type="marker" alpha="1">
      <layer class="SimpleMarker" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="name" value="filled_arrowhead" type="QString" />
        <Option name="size" value="2.6" type="QString" />
        <Option name="color" value="16,33,107,255" type="QString" />
        <Option name="outline_color" value="255,255,255,255" type="QString" />
        <Option name="outline_width" value="0.2" type="QString" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
</qgis>
